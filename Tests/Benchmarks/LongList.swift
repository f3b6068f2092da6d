import Foundation
import Selector
import Sync
import Wire

/// 100,000 contexts, twice what an account may have, in a session without disk and network: from a
/// key to what is to be painted, and from a letter to the narrowed list.
final class LongList: Measurement {
  static let contexts = 100_000

  let title = "a list of \(LongList.contexts) contexts"
  let samples: Int
  private var session: Session?
  private var shown: Frame?
  private var moves = 0
  private var keys = Stopwatch()
  private var letters = Stopwatch()
  private static let sought = Array("ite042")

  init(samples: Int) {
    self.samples = samples
  }

  func prepare() throws {
    let device = DeviceID(bytes: [UInt8](repeating: 1, count: 16)) ?? .zero
    var session = Session(
      profile: Profile(deviceName: "home pc", deviceID: device, storePath: "", phase: .unlocked),
      size: Size(columns: 80, rows: 24))
    _ = session.update(.clock(1))
    _ = session.update(.contexts((1...Self.contexts).map { Self.record($0, device) }))
    shown = session.view()
    self.session = session
  }

  private static func record(_ number: Int, _ device: DeviceID) -> ContextRecord {
    let id = withUnsafeBytes(of: number.bigEndian) { [UInt8](repeating: 0, count: 8) + $0 }
    return ContextRecord(
      id: ContextID(bytes: id) ?? .zero, name: Scale.name(number), kind: .account, attributes: [],
      updatedAt: 0, updatedBy: device)
  }

  func sample() throws {
    press(.character(moves / 12 % 2 == 0 ? "j" : "k"), &keys)
    moves += 1
    guard moves.isMultiple(of: 24) else { return }
    _ = session?.update(.key(.character("/")))
    for letter in Self.sought { press(.character(letter), &letters) }
    _ = session?.update(.key(.named(.escape)))
    shown = session?.view()
  }

  private func press(_ key: Key, _ stopwatch: inout Stopwatch) {
    stopwatch.time {
      _ = session?.update(.key(key))
      let frame = session?.view()
      _ = frame?.runs(from: shown)
      shown = frame
    }
  }

  var rows: [Row] {
    [
      Row(
        "list-key", "\(Self.contexts) contexts: key to frame", .milliseconds, keys.milliseconds,
        of: samples),
      Row(
        "list-narrow", "\(Self.contexts) contexts: a letter that narrows", .milliseconds,
        letters.milliseconds, of: samples / 24 * Self.sought.count),
    ]
  }
}
