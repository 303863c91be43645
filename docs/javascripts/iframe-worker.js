// Search in a site that is opened from a disk: a browser starts no Worker from file://, so the
// worker's script runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.documentElement.append(frame)
      this.inner = frame.contentWindow
      this.inner.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      this.inner.importScripts = () => Promise.resolve() // stemmers of other languages than English
      this.ready = new Promise(resolve => {
        const script = this.inner.document.createElement("script")
        script.src = url
        script.onload = resolve
        this.inner.document.documentElement.append(script)
      })
    }
    async postMessage(data) {
      await this.ready
      this.inner.dispatchEvent(new this.inner.MessageEvent("message", { data }))
    }
    terminate() {}
  }
}
