import { Internet } from './internet';

/** After a run: networks of a run that was broken off, with what still runs in them. */
export default function noNetworkLeft(): void {
  if (process.platform === 'linux' && process.getuid?.() === 0) Internet.clear();
}
