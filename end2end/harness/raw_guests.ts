import type { Page } from '@playwright/test';

/**
 * Runs in an empty page of the product's origin: guests that speak the protocol and show nothing, one after the other.
 * Each joins, connects to the host, gets its tracks, and leaves. Far cheaper than pages, and all the same to the host.
 */
export function joinAndLeave(page: Page, code: string, times: number): Promise<void> {
  return page.evaluate(
    async ({ code, times }) => {
      type Message = { type: string } & Record<string, any>;

      const once = (number: number) =>
        new Promise<void>((resolve, reject) => {
          const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`);
          const digits = crypto.getRandomValues(new Uint8Array(8));
          const connection = Array.from(digits, (byte) => byte.toString(16).padStart(2, '0')).join('');
          const peer = new RTCPeerConnection();
          const early: RTCIceCandidateInit[] = [];
          const send = (message: Message) => socket.send(JSON.stringify(message));
          const finish = (error?: Error) => {
            clearTimeout(timer);
            peer.close();
            socket.close();
            if (error) reject(error);
            else resolve();
          };
          const timer = setTimeout(
            () => finish(new Error(`guest ${number}: ${peer.connectionState} after 10 s`)),
            10_000,
          );

          socket.onopen = () => send({ type: 'join', code, name: `Guest ${number}`, password: null });
          socket.onerror = () => finish(new Error(`guest ${number}: no socket`));
          peer.onicecandidate = ({ candidate }) => {
            if (!candidate || socket.readyState !== WebSocket.OPEN) return;
            const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
            send({
              type: 'signal',
              connection,
              signal: {
                kind: 'candidate',
                candidate: candidate.candidate,
                sdp_mid: sdpMid,
                sdp_m_line_index: sdpMLineIndex,
                username_fragment: usernameFragment,
              },
            });
          };
          peer.onconnectionstatechange = () => {
            if (peer.connectionState !== 'connected') return;
            send({ type: 'leave' });
          };

          const take = async (message: Message) => {
            if (message.type === 'welcome') send({ type: 'ready', connection });
            if (message.type === 'ended') finish();
            if (message.type === 'error') finish(new Error(`guest ${number}: ${message.message}`));
            if (message.type !== 'signal' || message.connection !== connection) return;
            const { signal } = message;
            if (signal.kind === 'offer') {
              await peer.setRemoteDescription({ type: 'offer', sdp: signal.sdp });
              await peer.setLocalDescription();
              send({ type: 'signal', connection, signal: { kind: 'answer', sdp: peer.localDescription!.sdp } });
              for (const candidate of early.splice(0)) await peer.addIceCandidate(candidate);
            } else if (signal.kind === 'candidate') {
              const candidate = {
                candidate: signal.candidate,
                sdpMid: signal.sdp_mid,
                sdpMLineIndex: signal.sdp_m_line_index,
                usernameFragment: signal.username_fragment,
              };
              if (peer.remoteDescription) await peer.addIceCandidate(candidate);
              else early.push(candidate);
            }
          };
          let queue = Promise.resolve();
          socket.onmessage = ({ data }) => {
            queue = queue.then(() => take(JSON.parse(data as string) as Message)).catch((error: Error) => finish(error));
          };
        });

      for (let number = 1; number <= times; number += 1) await once(number);
    },
    { code, times },
  );
}

/**
 * Runs in an empty page of the product's origin: a host and a guest who make a connection, are silent about what it
 * carries, as a page is that breaks, and part. Nobody reports, so the server has to estimate `milliseconds` of it.
 */
export function connectInSilence(page: Page, milliseconds: number): Promise<void> {
  return page.evaluate(async (milliseconds) => {
    type Message = { type: string } & Record<string, any>;

    /** A socket that is let in with `first`: what it says, and the next message of a type that comes in. */
    const enter = async (first: Message) => {
      const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`);
      const came: Message[] = [];
      let look = () => {};
      socket.onmessage = ({ data }) => {
        came.push(JSON.parse(data as string) as Message);
        look();
      };
      const send = (message: Message) => socket.send(JSON.stringify(message));
      const next = (type: string) =>
        new Promise<Message>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(`no ${type}, but ${JSON.stringify(came)}`)), 5_000);
          look = () => {
            const place = came.findIndex((message) => message.type === type);
            if (place < 0) return;
            clearTimeout(timer);
            look = () => {};
            resolve(came.splice(place, 1)[0]!);
          };
          look();
        });
      await new Promise((resolve) => (socket.onopen = resolve));
      send(first);
      return { send, next, welcome: await next('welcome'), close: () => socket.close() };
    };

    const host = await enter({ type: 'create', name: 'Silent host', password: null });
    const { code } = host.welcome.snapshot;
    const guest = await enter({ type: 'join', code, name: 'Silent guest', password: null });
    const digits = crypto.getRandomValues(new Uint8Array(8));
    const connection = Array.from(digits, (byte) => byte.toString(16).padStart(2, '0')).join('');
    guest.send({ type: 'ready', connection });
    await host.next('ready');
    const peer = new RTCPeerConnection();
    peer.createDataChannel('silence');
    const { sdp } = await peer.createOffer();
    peer.close();
    host.send({ type: 'signal', connection, signal: { kind: 'offer', sdp } });
    await guest.next('signal');
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    // A last sign of life: the estimate runs up to it.
    const candidate = 'candidate:1 1 udp 1 192.0.2.1 9 typ host';
    const signal = { kind: 'candidate', candidate, sdp_mid: '0', sdp_m_line_index: 0, username_fragment: null };
    host.send({ type: 'signal', connection, signal });
    await guest.next('signal');
    for (const person of [guest, host]) {
      person.send({ type: 'leave' });
      await person.next('ended');
      person.close();
    }
  }, milliseconds);
}
