/** Which part of a list is wanted. */
export interface PageRequest {
  /** `next` of the page before; absent for the first page. */
  cursor?: string
  /** At most this many items: 1 to 500, default 50. */
  limit?: number
}

/** One part of a list. `next` is the cursor of the following page, null on the last. */
export interface Page<T> {
  items: T[]
  next: string | null
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 500

export const pageLimit = (page: PageRequest): number =>
  Math.min(Math.max(Math.trunc(page.limit ?? DEFAULT_LIMIT), 1), MAX_LIMIT)

/** Makes a page out of `pageLimit + 1` rows: the surplus row only says that there are more. */
export function pageOf<T>(rows: T[], page: PageRequest, cursor: (item: T) => string): Page<T> {
  const limit = pageLimit(page)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last ? cursor(last) : null }
}
