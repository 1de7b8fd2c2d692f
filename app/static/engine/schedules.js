// How γ and the learning rate move, step by step, and how a hand takes γ over; as `lpc_core.schedules`.

const FLOOR = 1e-6; // γ below this glides as if it were this, then jumps: a logarithm never reaches 0
const DECADES_PER_STEP = 0.01; // the fastest γ glides to the hand's value
const LATE = 0.2; // share of the run after which a late cosine begins
const [FAST, SLOW] = [Math.log(2), Math.log(1.25)]; // growth per period in the two regimes of the paper's schedule

const linear = ({ gamma_start: start, gamma_end: end }, share) => start + share * (end - start);

const SHAPES = {
  linear,
  exponential: ({ gamma_start: start, gamma_end: end }, share) => start ** (1 - share) * end ** share,
  cosine: (config, share) => linear(config, (1 - Math.cos(Math.PI * share)) / 2),
  constant: ({ gamma_end: end }) => end,
  "two-regime"({ gamma_start, gamma_switch, gamma_end }, share) {
    const [start, end] = [Math.log(gamma_start), Math.log(gamma_end)];
    const [low, high] = start < end ? [start, end] : [end, start];
    const turn = Math.min(Math.max(Math.log(Math.max(gamma_switch, 1e-300)), low), high);
    const [fast, slow] = [(turn - start) / FAST, (end - turn) / SLOW]; // periods spent in each regime
    const done = share * (fast + slow);
    return Math.exp(Math.abs(done) <= Math.abs(fast) ? start + done * FAST : turn + (done - fast) * SLOW);
  },
};

/** γ of the schedule at a step, held at its end after the ramp. */
export function gammaAt(config, step) {
  return SHAPES[config.gamma_schedule](config, Math.min(Math.max(step / config.ramp_steps, 0), 1));
}

/** The step at which the schedule's γ is nearest to `gamma`: schedules are monotone. */
export function stepOf(config, gamma) {
  let [low, high] = [0, config.ramp_steps];
  const rising = gammaAt(config, high) >= gammaAt(config, low);
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (gammaAt(config, middle) < gamma === rising) low = middle;
    else high = middle;
  }
  return gammaAt(config, low) === gamma ? low : high;
}

/** The backbone's learning rate; `base` is the config's, or what a hand has made of it. */
export function rateAt({ lr_schedule: kind, lr_end: end }, base, step, steps) {
  if (kind === "constant") return base;
  const late = kind === "late-cosine" ? LATE : 0;
  const share = Math.min(Math.max(step / steps - late, 0) / (1 - late), 1);
  return base * (end + ((1 - end) * (1 + Math.cos(Math.PI * share))) / 2);
}

/** γ by schedule or by hand, without jumps when it changes hands. */
export class GammaDriver {
  constructor(config) {
    const first = gammaAt(config, 0);
    Object.assign(this, { config, value: first, target: first, mode: "auto", clock: 0, gliding: false });
  }

  hold(gamma) {
    Object.assign(this, { mode: "hand", target: gamma, gliding: true });
  }

  release() {
    if (this.mode === "hand") Object.assign(this, { mode: "auto", clock: stepOf(this.config, this.value), gliding: true });
  }

  /** One step on; the γ to train it with. */
  advance() {
    if (this.mode === "auto") this.target = gammaAt(this.config, this.clock++);
    this.value = this.gliding ? approach(this.value, this.target) : this.target;
    this.gliding = this.value !== this.target;
    return this.value;
  }
}

function approach(value, target) {
  const [near, far] = [value, target].map((gamma) => Math.log10(Math.max(gamma, FLOOR)));
  return Math.abs(far - near) <= DECADES_PER_STEP ? target : 10 ** (near + Math.sign(far - near) * DECADES_PER_STEP);
}
