import Foundation

/// Where the servers listen, for scripts: written whole, once they do.
struct ReadyFile: Encodable {
  var attributes: String?
  var push: String?
  var signals: String?
  /// What devices know the server by.
  var key: String?
  let pid: Int32

  init(attributes: String?, push: String?, signals: String?, key: String?) {
    self.attributes = attributes
    self.push = push
    self.signals = signals
    self.key = key
    pid = ProcessInfo.processInfo.processIdentifier
  }

  func write(to path: String?) throws(DaemonError) {
    guard let path else { return }
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      // Atomically: whoever waits for the file must not read half of it.
      try (encoder.encode(self) + Data("\n".utf8)).write(
        to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw .failed("The ready file \(path) cannot be written.")
    }
  }
}
