/** One line of a rendered plan: the sign stands in the first column and gives the colour. `@` is a diff position. */
export interface PlanLine {
  sign: '+' | '~' | '-' | '-/+' | '<=' | '!' | '@' | ' '
  text: string
  /** The first line of a resource. */
  head?: boolean
}
