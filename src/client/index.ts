/** Typed client of the API, and a small one of S3. Transports are ports. */
export { parseAddress } from './address.ts'
export {
  type ApiRequest,
  type Asking,
  type Client,
  type ClientPorts,
  openClient,
  type StreamTransport,
  type Transport,
} from './client.ts'
export { clientError } from './errors.ts'
export { type ListedObject, type Objects, type ObjectTransport, openObjects, type Source } from './objects.ts'
export { type AccessKey, signRequest } from './sign-request.ts'
