// Reads Streamlit's theme (CSS variables) and turns it into the stage's colours.

const FALLBACK = {
  light: { text: "#31333f", background: "#ffffff", soft: "#f0f2f6", primary: "#ff4b4b" },
  dark: { text: "#fafafa", background: "#0e1117", soft: "#262730", primary: "#ff4b4b" },
};
const VARIABLES = {
  text: "--st-text-color", background: "--st-background-color",
  soft: "--st-secondary-background-color", primary: "--st-primary-color",
};

/** [r, g, b] of any CSS colour, through a canvas; null when it is not one. */
export function rgb(colour) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.canvas.width = probe.canvas.height = 1;
  probe.fillStyle = "#010203";
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  return r === 1 && g === 2 && b === 3 ? null : [r, g, b];
}

/** Relative luminance (WCAG) of [r, g, b]. */
function luminance(channels) {
  const [r, g, b] = channels.map((v) => (v / 255 <= 0.04045 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function mix(a, b, share) {
  const [from, to] = [rgb(a), rgb(b)];
  return `rgb(${from.map((v, i) => Math.round(v + (to[i] - v) * share)).join(",")})`;
}

/** The stage's colours for `element`: Streamlit's where they are set, our own elsewhere. */
export function readTheme(element, dark) {
  const style = getComputedStyle(element);
  const told = Object.entries(VARIABLES).map(([name, variable]) => [name, style.getPropertyValue(variable).trim()]);
  const found = Object.fromEntries(told.filter(([, value]) => value && rgb(value)));
  const isDark = found.background ? luminance(rgb(found.background)) < 0.4 : Boolean(dark);
  const theme = { ...FALLBACK[isDark ? "dark" : "light"], ...found, dark: isDark };
  theme.font = style.getPropertyValue("--st-font").trim() || "system-ui, sans-serif";
  return { ...theme, ...derived(theme) };
}

function derived({ text, background, dark }) {
  return {
    muted: mix(text, background, dark ? 0.3 : 0.25),
    line: mix(background, text, dark ? 0.22 : 0.16),
    grid: mix(background, text, dark ? 0.11 : 0.07),
    panel: dark ? mix(background, text, 0.035) : background,
    force: dark
      ? { out: "#6ea8ff", inward: "#ff6b70", along: "#4bd37b" }
      : { out: "#1756d6", inward: "#d11f2f", along: "#16803a" },
  };
}

/** Hands the colours to the style sheet. */
export function applyTheme(root, theme) {
  const { text, background, soft, primary, muted, line, grid, panel, font, force } = theme;
  const named = { text, background, soft, primary, muted, line, grid, panel, font, ...force, "on-primary": luminance(rgb(primary)) > 0.45 ? "#111" : "#fff" };
  for (const [name, value] of Object.entries(named)) root.style.setProperty(`--lpc-${name}`, value);
  root.style.colorScheme = theme.dark ? "dark" : "light";
}
