import type { ReactNode } from 'react'

/**
 * Stands in for the scroll lock that dialogs and menus of Radix come with: nothing behind them scrolls anyway, since the
 * page's own scroller is no ancestor of theirs, and what it sets on the body is inherited: each opening and closing
 * had every element of the page styled again.
 */
export const RemoveScroll = ({ children }: { children?: ReactNode }): ReactNode => children
