/** Advisory locks of Trueup in a database: two numbers, of which the first is the word "TRUP". */
export const LOCKS = { family: 0x54_52_55_50, writing: 1, serving: 2 } as const
