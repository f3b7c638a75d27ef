import { QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Operation } from '#api'
import { PelagoError } from '#kernel'
import { client } from './client.ts'

/** What is shown is asked for again when somebody comes back to the page, and after each act upon it. */
export const answers = new QueryClient({
  defaultOptions: {
    // The client asks again by itself where that can help.
    queries: { retry: false, staleTime: 5000 },
    mutations: { retry: false },
  },
})

/** Asks an operation that changes nothing, and keeps the answer fresh. */
export function useAnswer<I, O>(
  operation: Operation<I, O>,
  input: I,
  options: { everyMs?: number; when?: boolean } = {},
) {
  return useQuery({
    queryKey: [operation.id, input],
    queryFn: ({ signal }) => client.ask(operation, input, { signal }),
    enabled: options.when ?? true,
    ...(options.everyMs !== undefined && { refetchInterval: options.everyMs }),
  })
}

/** Every page of a list, as one list. @param itemsOf what of a page is shown */
export function useEveryPage<I, O extends { next: unknown }, T>(
  operation: Operation<I, O>,
  input: I,
  itemsOf: (page: O) => readonly T[],
) {
  return useQuery({
    queryKey: [operation.id, input, 'every page'],
    async queryFn({ signal }) {
      const items: T[] = []
      for await (const page of client.pages(operation, input, { signal })) items.push(...itemsOf(page))
      return items
    },
  })
}

/** An act. When it is done, everything that is shown of its noun, and of the nouns named, is asked for again. */
export function useAct<I, O>(operation: Operation<I, O>, alsoOf: readonly string[] = []) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (input: I) => client.ask(operation, input),
    async onSettled() {
      const nouns = [nounOf(operation.id), ...alsoOf]
      await queries.invalidateQueries({ predicate: ({ queryKey }) => nouns.includes(nounOf(String(queryKey[0]))) })
    },
  })
}

/** Follows a stream while the page shows it. */
export function useLive<I, O>(operation: Operation<I, O>, input: I): { last: O | undefined; broken: unknown } {
  const [state, setState] = useState<{ last: O | undefined; broken: unknown }>({ last: undefined, broken: undefined })
  const asked = JSON.stringify(input)
  useEffect(() => {
    const leave = new AbortController()
    const follow = async () => {
      for await (const last of client.follow(operation, JSON.parse(asked) as I, leave.signal))
        setState({ last, broken: undefined })
    }
    follow().catch((broken: unknown) => {
      if (!leave.signal.aborted) setState(({ last }) => ({ last, broken }))
    })
    return () => leave.abort()
  }, [operation, asked])
  return state
}

const nounOf = (id: string) => id.split('.')[0] ?? id

/** Whether the answer means that nobody is signed in (any more). */
export function isSignedOut(error: unknown): boolean {
  return error instanceof PelagoError && ['request.unauthenticated', 'session.ended'].includes(error.code)
}
