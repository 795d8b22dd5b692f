/** Styles that libraries make as they go, set through the object model: a strict content policy refuses them as text. */
const themes = new WeakMap<ShadowRoot, CSSStyleSheet>()

/** Whatever comes into `root` with `data-css` gets that as its style, before it is painted. */
export function applyStylesIn(root: ShadowRoot): void {
  new MutationObserver((records) => {
    for (const { addedNodes } of records)
      for (const node of addedNodes) {
        if (!(node instanceof HTMLElement)) continue
        apply(node)
        for (const inner of node.querySelectorAll<HTMLElement>('[data-css]')) apply(inner)
      }
  }).observe(root, { childList: true, subtree: true })
}

function apply(element: HTMLElement): void {
  const css = element.dataset['css']
  if (css === undefined) return
  delete element.dataset['css']
  element.style.cssText += css
}

/** The one theme of a shadow tree; another text takes the place of the one before. */
export function setTheme(root: ShadowRoot, css: string): void {
  let sheet = themes.get(root)
  if (!sheet) {
    themes.set(root, (sheet = new CSSStyleSheet()))
    root.adoptedStyleSheets.push(sheet)
  }
  sheet.replaceSync(css)
}
