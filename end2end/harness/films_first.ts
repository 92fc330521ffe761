import { makeAll } from './film';

/** Films are made before the first test, so that no test's time-out pays for ffmpeg. */
export default function filmsFirst(): void {
  makeAll();
}
