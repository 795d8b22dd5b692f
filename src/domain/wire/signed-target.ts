/** Trailers by which a signed commit says for which repository and branch it was made. */
export const REPOSITORY_TRAILER = 'Trueup-Repository'
export const BRANCH_TRAILER = 'Trueup-Branch'
