/** What a sentence takes in: names and numbers, which are shown as they are. */
export type Said = string | number
