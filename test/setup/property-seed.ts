/**
 * Property tests start from one seed, so that a red run tells of the change under test and not of luck, and fails again
 * when it is repeated. `TRUEUP_TEST_SEED=random` looks for new counterexamples (fast-check prints the seed of what it
 * finds); a number repeats one.
 */
import fc from 'fast-check'

const wanted = process.env['TRUEUP_TEST_SEED'] ?? '1'
if (wanted !== 'random') {
  const seed = Number(wanted)
  if (!Number.isInteger(seed)) throw new Error(`TRUEUP_TEST_SEED is 'random' or a whole number, not '${wanted}'`)
  fc.configureGlobal({ seed })
}
