/** A tool that tests and demo can use, and how it comes onto this machine. */
export interface WantedTool {
  /** Program name, as `findTool` of test/tools.ts looks for it. */
  name: string
  what: string
  /** Name of the Debian package that holds it: installed by root on Debian. */
  debian?: string
  /** Installs it into `.tools/bin` and throws where that does not work. */
  install?: () => void
  /** Tests do without it, by name: that it cannot be installed is told and is no failure. */
  optional?: boolean
  /** For a person, where neither does it. */
  how: string
}
