// What every live view shares: γ and transport, keys, one connection, Plotly after the first points, drawing what came.

import { Catalogue } from "../charts/catalogue.js";
import { ChartClock } from "../charts/chartclock.js";
import { REDUCED } from "../kit/dom.js";
import { formatCount } from "../kit/format.js";
import { chooseLive, listen } from "../kit/keys.js";
import { Part } from "../kit/part.js";
import { Popover } from "../kit/popover.js";
import { without } from "../kit/share.js";
import { join } from "../kit/sharing.js";
import { tr } from "../kit/words.js";
import { GammaControl } from "./gamma.js";
import { Moment } from "./moment.js";
import { Notices } from "./notices.js";
import { Socket } from "./socket.js";
import { Stats } from "./stats.js";
import { Transport } from "./transport.js";
import { arrive, liveWords } from "./linkwords.js";

const CHARTS_MS = 2_000; // at most until Plotly is fetched, when no frame comes; a page that has it does not wait
const AGAIN = tr("Started again from step 0: the server had ended this run, because it was started anew or this page was away too long.");
const RELOADED = tr("Started from step 0: reloading a page begins its run anew. Its address holds all settings.");
const STILL = tr("Paused, because this device asks for less motion. Press play to start.");
const wentOn = (step) => tr("The server was started anew: this run goes on from step {step}, where it was saved.", { step: formatCount(step) });
let reloaded = false; // whether this document's reload was told of
const FEW = 5; // frames drawn before Plotly is fetched

/** A view has: views, its ViewControls, layers, curves; first, the `Latents` that are turned; what a link need not say: usualView(), usualOff(), and its ownWords(); and build(), parts() to restyle and destroy, usePlotly(P), setup(m), arrived(m), thumbs(m), show(m, now), drawViews(now) → more?, tell(m): say its words and numbers, turning(), state(). */
export class LiveView extends Part {
  /** props: {wsPath, token, dark, plotlyUrl, again(), following}; again asks for another token; who follows another's run has no say in it. Without a server: {dial, plotlyUrl, dark, styled}. */
  constructor(element, props, look) {
    super(element, props, { testid: "lpc-stage", ...look });
    Object.assign(this, { stats: new Stats(), moment: new Moment(), info: null, drawn: null, setupInfo: null, left: null });
    this.root.classList.toggle("lpc-following", Boolean(props.following));
    this.popover = new Popover(this.root, () => this.setupInfo);
    this.clock = new ChartClock((name, ms) => this.stats.chartDrew(name, ms));
    this.about = (key, suffix) => this.popover.button(key, suffix);
    const send = (message) => this.send(message);
    this.gamma = new GammaControl({ send, sent: (seq) => this.stats.gammaSent(seq), info: this.about });
    this.transport = new Transport(send, this.gamma);
    this.notices = new Notices(() => send({ type: "reset" }));
    this.build();
    this.transport.speed.after(this.shareButton());
    this.views.element.inert = Boolean(props.following);
    this.root.lpcStage = { stats: () => this.stats.copy(), state: () => this.state(), send }; // for tests and benchmarks; copies
    this.begin();
  }

  /** Once the styles are in force: theme, keys, connection, charts. */
  async begin() {
    if (!await this.styled()) return;
    this.stopKeys = listen((event, actions) => (this.props.following || this.root.inert ? null : chooseLive(event, actions)), {
      play: () => without("run") || this.transport.togglePlay(), step: () => without("run") || this.send({ type: "step", count: 1 }), reset: () => without("run") || this.send({ type: "reset" }),
      nudge: (decades) => without("gamma") || this.gamma.nudge(decades), canTurn: () => Boolean(this.turning()), turn: (dx, dy) => this.turning()?.turn(dx, dy),
    });
    this.connect();
    this.charts = setTimeout(() => this.fetchPlotly(), window.Plotly ? 0 : CHARTS_MS);
  }

  /** Plotly takes a second of the page's time to start, so the first points are drawn without it. */
  fetchPlotly() {
    clearTimeout(this.charts);
    this.charts = 0;
    this.plotly().then((Plotly) => !this.gone && this.usePlotly(Plotly), (error) => this.notices.load(tr("{error}; reload the page.", { error: error.message }), { failed: true }));
  }

  connect() {
    this.socket?.close();
    const hello = { type: "hello", token: this.props.token, before: this.held }; // the latter of a run that has ended
    this.socket = new Socket(this.props.wsPath ?? "", () => hello, {
      status: (status) => this.lineIs(status), setup: (message) => this.explained(message), frame: (message) => this.received(message),
      thumbs: (message) => message.info.run === this.setupInfo?.run && this.thumbs(message), notice: ({ info }) => this.notices.receive(info),
    }, this.props.dial);
  }

  /** A setup comes with the words of its numbers. */
  explained(message) {
    message.info.catalogue = new Catalogue(message.info.catalogue);
    this.moment.clear();
    this.drawn = null;
    this.setup(message);
    if (this.begun && this.props.share) join(this, liveWords(this));
  }

  /** Whatever needs the line is out of reach without it; a run that has ended begins again. */
  lineIs(status) {
    this.notices.status(status);
    this.transport.element.inert = status !== "open" || Boolean(this.props.following);
    if (status === "ended") this.props.again?.();
    if (status === "open" && this.left?.paused) this.send({ type: "pause" });
  }

  /** A run that goes on from its saved state has all of it; to one that begins again goes what the hand had set. */
  takeUp({ paused, gamma }, step) {
    this.left = null;
    if (paused) this.send({ type: "pause" });
    if (!step && gamma !== null) this.gamma.set(gamma);
    this.notices.show("warning", step ? wentOn(step) : AGAIN);
  }

  send(message) {
    return this.socket?.send(message) ?? false;
  }

  /** The view knows of the run now: it says so, and what it shows. */
  ready({ run, frame, step }) {
    this.held = this.props.token;
    this.notices.loaded(run);
    this.send({ type: "ack", frame });
    this.transport.sendSpeed();
    this.sendView();
    if (this.left) this.takeUp(this.left, step);
    else if (!this.begun && !this.props.following) this.opened();
    this.begun = true;
  }

  /** The first run of this page: it stands still for whoever asked for less motion, and a reload says that it began anew. */
  opened() {
    if (REDUCED.matches) {
      this.send({ type: "pause" });
      this.notices.show("info", STILL);
    } else if (!reloaded && performance.getEntriesByType("navigation")[0]?.type === "reload") this.notices.show("info", RELOADED);
    reloaded = true;
  }

  /** A frame came in: its numbers are kept even if a newer one replaces it before it is drawn. */
  received(message) {
    const { info } = message;
    if (!this.setupInfo || info.run !== this.setupInfo.run) return;
    this.stats.frames += 1;
    this.arrived(info);
    this.moment.receive(message);
    this.request();
  }

  /** Words and numbers change together, to those of one measured moment; what must wait is said by a later drawing. */
  tellWhatIsDue(now) {
    const due = this.moment.next(this.drawn, now);
    if (due) this.tell(due);
    clearTimeout(this.later);
    const wait = this.moment.wait(now);
    if (wait !== null) this.later = setTimeout(() => this.request(), wait + 1);
  }

  draw(now) {
    const start = performance.now();
    const frame = this.setupInfo && this.socket?.take();
    if (frame && frame.info.run === this.setupInfo.run) this.showFrame(frame, now);
    this.tellWhatIsDue(now);
    const more = this.drawViews(now);
    this.stats.drew(start);
    if (frame) this.stats.gammaShown(frame.info.gamma_seq);
    if (more) this.request();
  }

  /** After a few frames the charts may come, or as soon as the run stands still. */
  showFrame(frame, now) {
    this.info = frame.info;
    this.drawn = frame;
    this.show(frame, now);
    arrive(this, frame.info);
    this.gamma.update(frame.info);
    this.notices.frame(frame.info);
    this.stats.frameDraws += 1;
    if (this.charts && (this.stats.frameDraws > FEW || frame.info.state !== "running")) this.fetchPlotly();
  }

  /** New props: another token reconnects, another theme repaints. */
  update(props) {
    const before = this.props;
    super.update(props);
    if (!this.theme) return; // styles are still on their way
    if (this.props.token === before.token && this.props.wsPath === before.wsPath) return;
    if (this.info) this.left = { paused: this.transport.state === "paused", gamma: this.gamma.mode === "hand" ? this.gamma.value : null };
    this.connect();
  }

  destroy() {
    super.destroy();
    clearTimeout(this.charts);
    clearTimeout(this.later);
    this.socket?.close();
    this.stopKeys?.();
    this.clock.stop();
  }
}

/** A view's prop: asks Streamlit to draw the page anew, which gives it a run's token that is good. */
export const again = (component) => () => component.setTriggerValue("again", true);

/** For `keeping`: a run of one's own and one that is only watched are drawn by different views. */
export const whose = ({ following }) => (following ? "another's" : "own");
