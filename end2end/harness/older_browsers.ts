/** Runs in the page, first of all: a browser whose films cannot be captured by themselves, but a canvas that they are painted on. */
export function withoutCaptureStream(): void {
  Reflect.deleteProperty(HTMLMediaElement.prototype, 'captureStream');
}
