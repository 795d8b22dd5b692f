import { type Surroundings, TOKEN_VARIABLE } from './surroundings.ts'

/** Answers git's question for a password from the environment, which other accounts of the host cannot read. */
const HELPER = `!f() { test "$1" = get && printf 'username=oauth2\\npassword=%s\\n' "$${TOKEN_VARIABLE}"; }; f`

/**
 * How git reaches the repository. GitLab's own credentials of a job may mostly not push, so that there it goes by the token;
 * elsewhere by what the checkout has been given.
 */
export function gitWay(
  { system, place }: Pick<Surroundings, 'system' | 'place'>,
  remote: string | undefined,
): { remote: string; env: NodeJS.ProcessEnv } {
  if (remote !== undefined || system !== 'gitlab' || place === null) return { remote: remote ?? 'origin', env: {} }
  const { origin } = new URL(place.address)
  const settings = [
    [`credential.${origin}.helper`, ''],
    [`credential.${origin}.helper`, HELPER],
  ] as const
  return {
    remote: `${place.address}/${place.path}.git`,
    env: {
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], index) => [
          [`GIT_CONFIG_KEY_${index}`, key],
          [`GIT_CONFIG_VALUE_${index}`, value],
        ]),
      ),
    },
  }
}
