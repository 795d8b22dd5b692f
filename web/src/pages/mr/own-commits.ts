import { createContext, useContext } from 'react'

/** Told of each commit that this page has made, so that the page does not warn of it as of somebody else's push. */
export const OwnCommits = createContext<(commit: string) => void>(() => {})
export const useOwnCommits = () => useContext(OwnCommits)
