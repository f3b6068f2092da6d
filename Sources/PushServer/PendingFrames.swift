import Wire

/// What one device is to be told and could not be yet, because its connection takes no more.
///
/// Only the newest of each kind is kept: signals by author, acknowledgements by author and
/// receiver, presence by device. Memory is bounded by the account's devices however long it stalls.
struct PendingFrames: Sendable {
  private struct Receipt: Hashable {
    let by: DeviceID
    let device: DeviceID
  }

  /// More authors than an account has devices: single signals are given up for "you are behind".
  static let limit = Limits.devices

  private var signals: [DeviceID: PushFrame.Update] = [:]
  private var overflowed = false
  private var receipts: [Receipt: UInt64] = [:]
  private var presence: [DeviceID: PushFrame.Presence] = [:]
  private var welcome: PushFrame?
  private var pong = false

  var isEmpty: Bool {
    !overflowed && !pong && welcome == nil && signals.isEmpty && receipts.isEmpty
      && presence.isEmpty
  }

  /// Keeps the frame; false for a signal that takes another's place, or is given up for it.
  @discardableResult mutating func add(_ frame: PushFrame) -> Bool {
    switch frame {
    case .signal(let update?):
      let held = signals[update.device]
      if let held, held.sequence >= update.sequence { return false }
      signals[update.device] = update
      if overflowed || signals.count > Self.limit { overflow() }
      return held == nil && !overflowed
    case .signal(nil): overflow()
    case .acknowledgement(let device, let sequence, let by?):
      let receipt = Receipt(by: by, device: device)
      guard receipts[receipt] != nil || receipts.count < Self.limit else { return true }
      receipts[receipt] = max(receipts[receipt] ?? 0, sequence)
    case .presence(let change):
      guard presence[change.device] != nil || presence.count < Self.limit else { return true }
      presence[change.device] = change
    case .welcome: welcome = frame
    case .pong: pong = true
    // Never sent by this way: a bye is written at once, the others come from devices.
    case .hello, .acknowledgement, .ping, .bye: break
    }
    return true
  }

  private mutating func overflow() {
    signals = [:]
    overflowed = true
  }

  /// The next frame to send: a welcome, then signals, presence, acknowledgements, a pong.
  mutating func next() -> PushFrame? {
    if let welcome {
      self.welcome = nil
      return welcome
    }
    if overflowed {
      overflowed = false
      return .signal(nil)
    }
    if let (device, update) = signals.min(by: { $0.key < $1.key }) {
      signals[device] = nil
      return .signal(update)
    }
    if let (device, change) = presence.min(by: { $0.key < $1.key }) {
      presence[device] = nil
      return .presence(change)
    }
    if let (receipt, sequence) = receipts.first {
      receipts[receipt] = nil
      return .acknowledgement(device: receipt.device, sequence: sequence, by: receipt.by)
    }
    if pong {
      pong = false
      return .pong
    }
    return nil
  }
}
