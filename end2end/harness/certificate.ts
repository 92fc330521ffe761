import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Environment } from './tessro';

/** A certificate that nobody knows, and its key, in this folder: what Tessro is told of them. */
export function certificate(folder: string): Environment {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => path.join(folder, name)) as [string, string];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { TLS_CERT: cert, TLS_KEY: key };
}
