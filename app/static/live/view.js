// What every live view shares: keys, one connection, Plotly after the first points, the mount that outlives reruns.

import { loadPlotly } from "../kit/dom.js";
import { chooseLive, listen } from "../kit/keys.js";
import { Socket } from "./socket.js";

const CHARTS_MS = 2_000; // at most until Plotly is fetched, when no frame comes
const FEW = 5; // frames drawn before Plotly is fetched

/** A view has: root, props, stats, transport, gamma, notices; restyle(), usePlotly(P), setup(m), arrived(m), thumbs(m), turning(). */
export class LiveView {
  /** Once the styles are in force: theme, keys, connection, charts. */
  begin() {
    if (this.gone) return;
    this.root.classList.remove("lpc-unstyled");
    this.restyle();
    this.stopKeys = listen(chooseLive, {
      play: () => this.transport.togglePlay(), step: () => this.send({ type: "step", count: 1 }), reset: () => this.send({ type: "reset" }),
      nudge: (decades) => this.gamma.nudge(decades), canTurn: () => Boolean(this.turning()), turn: (dx, dy) => this.turning()?.turn(dx, dy),
    });
    this.connect();
    this.charts = setTimeout(() => this.fetchPlotly(), CHARTS_MS);
  }

  /** Plotly takes a second of the page's time to start, so the first points are drawn without it. */
  fetchPlotly() {
    clearTimeout(this.charts);
    this.charts = 0;
    const url = new URL(this.props.plotlyUrl, document.baseURI).href;
    loadPlotly(url).then((Plotly) => !this.gone && this.usePlotly(Plotly), (error) => this.notices.failed(`${error.message}; reload the page.`));
  }

  /** A frame has been drawn; after a few the charts may come. */
  frameShown() {
    this.stats.frameDraws += 1;
    if (this.charts && this.stats.frameDraws > FEW) this.fetchPlotly();
  }

  connect() {
    this.socket?.close();
    const url = new URL(this.props.wsPath, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    this.socket = new Socket(url.href, this.props.token, {
      status: (status) => this.notices.status(status), setup: (message) => this.setup(message), frame: (message) => this.arrived(message),
      thumbs: (message) => message.info.run === this.setupInfo?.run && this.thumbs(message), notice: ({ info }) => this.notices.receive(info),
    });
  }

  send(message) {
    return this.socket?.send(message) ?? false;
  }
}
