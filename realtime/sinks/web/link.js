// The connection to mouth-live: it comes back by itself after the program, the network or the computer was away.
const SILENCE = 4000; // ms: the program sends something every second
const GOING_AWAY = 1001; // the code with which the program closes the connection when it ends
const HEAD = 12; // bytes before a picture: the frame's index and time

export class Link {
  constructor(handlers) {
    this.handlers = handlers;
    this.delay = 250;
    this.connected = this.ended = false;
    this.open();
    setInterval(() => performance.now() - this.heard > SILENCE && this.socket.readyState < 2 && this.drop(), 1000);
  }

  open() {
    const url = new URL("ws", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = "";
    const socket = new WebSocket(url);
    this.socket = socket;
    this.heard = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({data}) => {
      this.heard = performance.now();
      if (typeof data === "string") this.take(JSON.parse(data));
      else this.takePicture(data);
    };
    socket.onclose = ({code}) => {
      if (socket !== this.socket) return;
      this.ended ||= code === GOING_AWAY;
      this.lost();
    };
  }

  drop() {
    this.socket.onclose = this.socket.onmessage = null;
    this.socket.close();
    this.lost();
  }

  lost() {
    this.connected = false;
    this.handlers.lost?.(this.ended);
    setTimeout(() => this.open(), this.delay);
    this.delay = Math.min(2000, this.delay * 1.6);
  }

  take(message) {
    if (message.type === "hello") {
      this.connected = true;
      this.ended = false;
      this.delay = 250;
    }
    this.handlers[message.type]?.(message);
  }

  takePicture(data) {
    const head = new DataView(data);
    this.handlers.picture?.(head.getUint32(0, true), head.getFloat64(4, true), new Blob([data.slice(HEAD)], {type: "image/jpeg"}));
  }

  send(message) {
    if (this.socket.readyState === 1) this.socket.send(JSON.stringify(message));
  }
}
