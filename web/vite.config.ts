import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { join } from 'node:path'
import { defineConfig } from 'vite'
import { aheadScript } from './ahead-script.ts'
import { compileHint } from './compile-hint.ts'
import { scriptBudget } from './script-budget.ts'
import { strictStyles } from './strict-styles.ts'

/** `npm run build` and `scripts/build-web.ts` call this; `vite web` serves it against a server on the default port. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { alias: { 'react-remove-scroll': join(import.meta.dirname, 'src', 'ui', 'no-scroll-lock.ts') } },
  plugins: [react(), tailwind(), strictStyles(), aheadScript(), scriptBudget(), compileHint()],
  build: {
    outDir: 'dist',
    target: 'es2023',
    // A file of its own for everything: an inlined one would need `data:` in the content policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:7420' } },
})
