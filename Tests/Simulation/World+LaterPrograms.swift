import Sync
import Vault
import Wire

/// What a later program wrote into a context.
struct LaterWord {
  let context: ContextID
  let version: VersionID
  let text: String
}

/// Programs of a later version, which write registers and keys that this one does not know.
extension World {
  /// A later program ran on the device, saved something, and ended before it was committed: this
  /// one goes on with what lies on the disk.
  func runLaterProgram(on device: SimulatedDevice) throws {
    guard device.isUp, !device.isLocked, device.form == nil,
      let context = entropy.pick(device.core.replica.contexts),
      !device.disk.current.state.settled.contains(where: { $0.context == context.id })
    else { return }
    texts += 1
    let version: VersionID = device.entropy.identifier()
    let text = "<later \(texts)>"
    let operation = """
      [{"ctx":"\(context.id)","kind":"badge","version":"\(version)","supersedes":[],\
      "hlc":[\(device.moment(now).wall),0],"value":{"text":"\(text)","shape":"\(text)round"},\
      "reason":["\(text)",{"because":"\(text)knows"}]}]
      """
    crash(device)
    // The crash may have left less than the device held.
    guard let keyring = device.keyrings[device.disk.current.device],
      !device.disk.current.state.settled.contains(where: { $0.context == context.id })
    else { return }
    record("\(device.number) ran a later program")
    count(.laterProgram)
    var transaction = Transaction()
    transaction.settled =
      device.disk.current.state.settled + [
        SettledRow(
          context: context.id,
          sealed: try keyring.sealRow(
            Array(operation.utf8), binding: "settled/\(context.id)", entropy: &device.entropy))
      ]
    try device.disk.write(transaction)
    try device.disk.sync()
    try note(durable: transaction, of: device)
    later.append(LaterWord(context: context.id, version: version, text: text))
  }

  /// S1: what later programs wrote is on every device as it was written, unless nobody holds it or
  /// it went with its context.
  func checkLaterPrograms() throws {
    for device in devices where !device.isGone {
      let replica = device.core.replica
      let held = later.filter { mustHold.contains($0.version) && replica[$0.context] != nil }
      guard !held.isEmpty else { continue }
      let wall = device.moment(now).wall
      let pieces = try replica.snapshot(now: wall, coveredByAll: nil).pieces
      let all = String(decoding: pieces.joined(), as: UTF8.self)
      for text in held.map(\.text) {
        for part in [text, "\(text)round", "\(text)knows"] where !all.contains(part) {
          throw Violation(.s1, "\(device.number) lost \(part), which a later program wrote")
        }
      }
    }
  }
}
