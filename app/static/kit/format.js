// Numbers as a reader wants them: three significant digits, powers only where they help.

/** 32.1, 0.00120, 1.0e-4, 12,400; "–" for what is unknown. */
export function formatNumber(value, digits = 3) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e5) return value.toExponential(Math.max(1, digits - 2)).replace("e+", "e");
  if (size >= 1e3) return formatCount(value);
  return size >= 10 ** (digits - 1) ? String(Math.round(value)) : value.toPrecision(digits);
}

/** 0.2, 20, 5e-4: as short as a tick may be. */
export const formatTick = (value) => String(Number(value.toPrecision(2))).replace("e+", "e");

/** γ for the big readout. */
export const formatGamma = (value) => formatNumber(value, 3);

/** 99.9 %; four digits near the top, where they matter, and 100 % only for all. */
export function formatPercent(share) {
  if (!Number.isFinite(share)) return "–";
  const nearlyAll = share >= 0.9995 && share < 1;
  return `${nearlyAll ? Math.min(100 * share, 99.99).toFixed(2) : (100 * share).toFixed(1)} %`;
}

/** Whole numbers with thousands separators. */
export const formatCount = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : "–");

/** A whole number in the digits of `table`. */
const inDigits = (number, table) => [...String(number)].map((digit) => table[digit]).join("");

/** 10⁻⁴ for a decade's exponent. */
export const formatDecade = (exponent) => ["1", "10"][exponent] ?? `10${exponent < 0 ? "⁻" : ""}${inDigits(Math.abs(exponent), "⁰¹²³⁴⁵⁶⁷⁸⁹")}`;

/** 1.2×10⁻⁷, 0.031, 12,000, 7.3×10⁷: `digits` that count. */
export function power(value, digits = 2) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e3 && size < 1e6) return formatCount(Number(value.toPrecision(digits))).replace("-", "−");
  if (size >= 1e-3 && size < 1e3) return (size >= 10 ** (digits - 1) ? formatCount(value) : value.toPrecision(digits)).replace("-", "−");
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return `${mantissa}×${formatDecade(Number(exponent))}`.replace("-", "−");
}

/** 3 → z₃ … */
export const nodeName = (index) => `z${inDigits(index + 1, "₀₁₂₃₄₅₆₇₈₉")}`;
