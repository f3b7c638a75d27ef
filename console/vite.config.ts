import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { compressed } from './build/compressed.ts'
import { europe } from './build/europe.ts'

const plane = (name: string) => join(import.meta.dirname, '..', 'src', name, 'index.ts')

export default defineConfig({
  plugins: [react(), europe(), compressed()],
  // What a plane needs of the machine's Node is never reached from a browser: the console uses the client and the contract alone.
  resolve: { alias: { '#kernel': plane('kernel'), '#api': plane('api'), '#client': plane('client') } },
  build: {
    target: 'es2024',
    // The page's policy forbids data: and inline; everything is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // A plane's files do nothing but define: what a page does not name is left out.
    rolldownOptions: {
      treeshake: { moduleSideEffects: [{ test: /\/src\/(api|client|kernel)\//, sideEffects: false }] },
    },
  },
})
