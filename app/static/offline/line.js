// A worker that looks like a WebSocket: what `Socket` dials where there is no server.

const [OPEN, CLOSED] = [1, 3];

export class WorkerLine {
  /** `address` is that of the worker's script, `pack` the run it gets. */
  constructor(address, pack) {
    this.worker = new Worker(address);
    this.readyState = OPEN;
    this.worker.addEventListener("message", ({ data }) => this.onmessage?.({ data }));
    this.worker.addEventListener("error", (event) => reportError(event.error ?? new Error(event.message)));
    this.worker.postMessage(pack, [pack]);
    queueMicrotask(() => this.onopen?.());
  }

  send(text) {
    this.worker.postMessage(text, []);
  }

  close() {
    this.readyState = CLOSED;
    this.worker.terminate();
  }
}
