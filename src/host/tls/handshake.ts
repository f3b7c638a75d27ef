import { isIP } from 'node:net'
import { connect } from 'node:tls'

/**
 * Tries whether somebody on this machine has a handshake with whoever asks for a name. What is shown is not judged.
 * @param limitMs how long to wait
 * @returns why it came to nothing; undefined when all is well
 */
export function handshake(port: number, name: string, limitMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const servername = isIP(name) ? {} : { servername: name }
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, timeout: limitMs, ...servername })
    const end = (failed: string | undefined) => {
      socket.destroy()
      resolve(failed)
    }
    socket.once('secureConnect', () => end(undefined))
    socket.once('timeout', () => end('no answer in time'))
    socket.on('error', (error) => end(error.message))
  })
}
