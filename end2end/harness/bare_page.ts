import { createReadStream, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Film } from './film';

/** An empty page beside a film, on loopback: for measuring instruments and for what a bare browser does without us. */
export async function barePage(film: Film): Promise<{ url: string; close(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    if (request.url !== '/film') {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>bare</title>');
      return;
    }
    response.writeHead(200, { 'Content-Type': 'video/mp4', 'Content-Length': statSync(film.file).size });
    createReadStream(film.file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Runs in a bare page: plays the film into a `<video id="guest">` through two peer connections, with the settings that
 * give stereo sound. Resolves with the milliseconds from "film in hand" to the first frame on the other side.
 */
export async function loopThroughTwoPeers(): Promise<number> {
  const blob = await (await fetch('/film')).blob();
  const guest = document.body.appendChild(document.createElement('video'));
  guest.id = 'guest';
  guest.muted = true;
  guest.autoplay = true;
  const begun = performance.now();
  const host = document.createElement('video');
  host.muted = true;
  host.src = URL.createObjectURL(blob);
  await host.play();
  const stream = (host as HTMLVideoElement & { captureStream(): MediaStream }).captureStream();
  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  Object.assign(window, { host, from, to });
  from.onicecandidate = ({ candidate }) => void to.addIceCandidate(candidate ?? undefined);
  to.onicecandidate = ({ candidate }) => void from.addIceCandidate(candidate ?? undefined);
  const remote = new MediaStream();
  guest.srcObject = remote;
  to.ontrack = ({ track }) => remote.addTrack(track);
  for (const track of stream.getTracks()) from.addTrack(track, stream);
  await from.setLocalDescription();
  await to.setRemoteDescription(from.localDescription!);
  const answer = await to.createAnswer();
  const sdp = answer.sdp!.replace('useinbandfec=1', 'useinbandfec=1;stereo=1;maxaveragebitrate=160000');
  await to.setLocalDescription({ type: 'answer', sdp });
  const first = new Promise<number>((resolve) => guest.requestVideoFrameCallback(() => resolve(performance.now())));
  await from.setRemoteDescription(to.localDescription!);
  return (await first) - begun;
}
