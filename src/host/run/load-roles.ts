/** Loads the code of every role, and of the supervisor, without running any. */
export async function loadRoles(): Promise<void> {
  await Promise.all([
    import('../demo/up.ts'),
    import('./run-role.ts'),
    import('./run-federation.ts'),
    import('./run-provider.ts'),
    import('./run-unwrap.ts'),
    import('./run-gateway.ts'),
  ])
}
