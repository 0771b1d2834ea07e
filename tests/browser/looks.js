// What a page looks like to somebody who has to read it: facts and faults, gathered in one go.
() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();

  // Any CSS colour, oklch and color-mix too, as [red, green, blue, alpha] with alpha from 0 to 1.
  function rgba(color) {
    if (!known.has(color)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
      known.set(color, [red, green, blue, alpha / 255]);
    }
    return known.get(color);
  }

  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];

  function luminance([red, green, blue]) {
    const [r, g, b] = [red, green, blue].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function ground(element) {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), rgba("Canvas"));
  }

  function contrast(element, color) {
    let faded = 1;
    for (let at = element; at; at = at.parentElement) faded *= Number(getComputedStyle(at).opacity);
    const under = ground(element);
    const [red, green, blue, alpha] = rgba(color);
    const [light, dark] = [luminance(over([red, green, blue, alpha * faded], under)), luminance(under)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  }

  function name(element) {
    const classes = typeof element.className === "string" ? element.className.trim().replace(/\s+/g, ".") : "";
    return element.localName + (element.id ? `#${element.id}` : classes && `.${classes}`);
  }

  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  const off = (element) => element.closest(":disabled, [aria-disabled=true]") || element.closest("label")?.control?.disabled;
  const faint = [];
  let read = 0;

  function judge(element, color, text) {
    const { fontSize, fontWeight } = getComputedStyle(element);
    const size = parseFloat(fontSize);
    const least = size >= 24 || (size >= 18.66 && fontWeight >= 700) ? 3 : 4.5;
    const found = contrast(element, color);
    read += 1;
    if (found < least - 0.005) faint.push(`${found.toFixed(2)} ${name(element)} “${text.trim().slice(0, 40)}”`);
  }

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { nodeValue: text, parentElement: element } = texts.currentNode;
    if (!text.trim() || element.closest("script, style, noscript, template, option") || !shown(element) || off(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const { width, height } = range.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    if (width * height && box.width > 1) judge(element, getComputedStyle(element).color, text);
  }
  for (const field of document.querySelectorAll("input:not([type=hidden], [type=radio], [type=checkbox], [type=range], [type=file]), textarea, select")) {
    if (!shown(field) || off(field)) continue;
    if (field.placeholder && !field.value) judge(field, getComputedStyle(field, "::placeholder").color, field.placeholder);
    else if (field.value) judge(field, getComputedStyle(field).color, field.value);
  }

  const top = document.querySelector("dialog:modal") ?? document;
  const controls = [...top.querySelectorAll("a[href], button, input, select, summary, textarea, [role=slider]")]
    .filter((control) => shown(control) && !control.closest("[aria-hidden=true]"));

  const marks = [...top.querySelectorAll("aside, form[aria-labelledby], section[aria-labelledby], section[aria-label], nav, [role=region]")]
    .filter(shown).map((mark) => `${mark.computedRole} ${mark.computedName}`);
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown).map((heading) => Number(heading.localName[1]));
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  // The page itself never goes sideways, nor does a part of it unless it can be reached by Tab and scrolled by arrows.
  const slides = (element) => element.scrollWidth > element.clientWidth + 1 && element.tabIndex < 0
    && ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const wide = document.scrollingElement.scrollWidth - innerWidth;
  return {
    title: document.title,
    language: document.documentElement.lang,
    h1: [...document.querySelectorAll("h1")].filter(shown).length,
    main: [...document.querySelectorAll("main")].length,
    skipped: levels.filter((level, i) => level > (levels[i - 1] ?? level) + 1).length,
    alike: marks.filter((mark, i) => marks.indexOf(mark) !== i),
    twice: ids.filter((id, i) => ids.indexOf(id) !== i),
    unlabelled: [...document.querySelectorAll("[aria-labelledby], [aria-describedby], label[for]")].flatMap((element) =>
      ["aria-labelledby", "aria-describedby", "for"].flatMap((at) => (element.getAttribute(at) ?? "").split(" "))
        .filter((id) => id && !document.getElementById(id)).map((id) => `${name(element)} names #${id}`)),
    nameless: controls.filter((control) => !control.computedName.trim()).map((control) => control.outerHTML.slice(0, 120)),
    sideways: wide <= 0 ? [] : [`${wide} px`, ...[...document.body.querySelectorAll("*")]
      .filter((element) => shown(element) && element.getBoundingClientRect().right > innerWidth + 1).map(name).slice(0, 5)],
    // Where the shell stands and its sheet scrolls, nothing lies below the window.
    deep: getComputedStyle(document.body).display === "grid" && document.scrollingElement.scrollHeight > innerHeight + 1
      ? [`${document.scrollingElement.scrollHeight - innerHeight} px`] : [],
    slides: [...document.querySelectorAll("body *")].filter((element) => shown(element) && slides(element)).map(name),
    read,
    faint: [...new Set(faint)],
  };
}
