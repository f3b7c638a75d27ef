import { apiError, checkOutput, errorOf, faultOf, type Operation, requestOf, type ServerName } from '#api'
import { clientError } from './errors.ts'

/** Carries one request to the server of that name. Rejects when nothing answers. */
export type Transport = (request: {
  server: ServerName
  method: string
  path: string
  body?: string
  signal?: AbortSignal
}) => Promise<{ status: number; body: string }>

/** Asks operations; what may be put in and what comes out follows from the operation. */
export type Client = {
  /** @throws request.invalid before anything is sent; else whatever code the server answers, or answer.foreign */
  ask<I, O>(operation: Operation<I, O>, input: I, signal?: AbortSignal): Promise<O>
}

export function openClient(transport: Transport): Client {
  return {
    async ask(operation, input, signal) {
      const fault = faultOf(operation.input, input)
      if (fault) throw apiError('request.invalid', { path: fault.path, fault: fault.fault })
      const { path, body } = requestOf(operation, input)
      const server = operation.server === 'every' ? 'gateway' : operation.server
      const answer = await transport({
        server,
        method: operation.method,
        path,
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
      })
      const value = parse(answer.body)
      if (answer.status >= 200 && answer.status < 300) return checkOutput(operation, value)
      throw errorOf(value) ?? clientError('answer.foreign', { server, status: answer.status, path })
    },
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
