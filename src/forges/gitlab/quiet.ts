/**
 * Text of which no line is a quick action: GitLab does what a line of a comment or a description commands that begins with a
 * slash, `/merge` or `/approve`, with the rights of whoever has sent it, which is Trueup. An invisible character before the slash
 * makes it text. Inside of code, where GitLab obeys nothing, it is not to be seen either.
 */
export const quiet = (text: string): string =>
  text.replaceAll(/(^|[\n\r\u0085\u2028\u2029])([^\S\n\r\u0085\u2028\u2029]*)\//g, '$1$2\u200b/')
