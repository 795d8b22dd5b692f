import { useEffect, useState } from 'react'

/** What is not set is as good as what is not there. */
const isSame = <View extends object>(a: View, b: View): boolean =>
  Object.keys({ ...a, ...b }).every((key) => a[key as keyof View] === b[key as keyof View])

/**
 * A page's view, which is `told` by its address. What somebody chooses is drawn first, and the address learns of it by `tell`
 * after that frame: an address that changes makes the browser and every link of the page work, which a press of a button
 * should not wait for.
 */
export function useView<View extends object>(
  told: View,
  tell: (view: View) => void,
): [view: View, choose: (change: Partial<View>) => void] {
  const [ahead, setAhead] = useState<View | null>(null)
  if (ahead && isSame(ahead, told)) setAhead(null)
  useEffect(() => {
    if (!ahead) return
    let timer: number | undefined
    const frame = requestAnimationFrame(() => (timer = window.setTimeout(() => tell(ahead))))
    return () => {
      cancelAnimationFrame(frame)
      window.clearTimeout(timer)
    }
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- `tell` is another function each time, and says the same.
  }, [ahead])
  const view = ahead ?? told
  return [view, (change) => setAhead({ ...view, ...change })]
}
