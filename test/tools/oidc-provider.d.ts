/** The little of the package that tests use; it brings no types of its own. */
declare module 'oidc-provider' {
  type Context = { path: string; body: unknown }
  export class Provider {
    constructor(issuer: string, configuration: object)
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void
    callback(): (request: never, response: never) => void
  }
}
