import { stringify } from 'yaml'

/** A trueup.yaml of three stacks that write below `at`: one gives a word, one takes it, one has files. */
export const configOf = (at: (...path: string[]) => string): string =>
  stringify({
    version: 1,
    environments: { production: { tier: 'production' } },
    stacks: [
      {
        path: 'base',
        driver: 'command',
        environments: ['production'],
        with: {
          idempotent: true,
          plan: `printf '{"word":"%s"}' "$(cat word)" > $TRUEUP_OUTPUTS_FILE; cmp -s word ${at('base')} && exit 0; echo changed; exit 2`,
          apply: `cp word ${at('base')} && printf '{"word":"%s"}' "$(cat word)" > $TRUEUP_OUTPUTS_FILE`,
        },
      },
      {
        path: 'app',
        driver: 'command',
        environments: ['production'],
        inputs: { word: 'base.word' },
        with: {
          idempotent: true,
          plan: `[ "$(cat ${at('app')} 2>/dev/null)" = "$TRUEUP_INPUT_WORD" ] && exit 0; echo "changed to $TRUEUP_INPUT_WORD"; exit 2`,
          apply: `printf %s "$TRUEUP_INPUT_WORD" > ${at('app')}`,
        },
      },
      { path: 'web', driver: 'files', environments: ['production'], with: { target: at('web') } },
    ],
  })

/** Stack → state, of a report. */
export const statesIn = ({ stacks }: { stacks: { stack: string; state: string }[] }): { [stack: string]: string } =>
  Object.fromEntries(stacks.map(({ stack, state }) => [stack, state]))
