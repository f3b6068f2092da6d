import Wire

/// Devices that are not let in though their tokens are good, until the last of those has ended.
///
/// A token lives ``/Wire/Limits/tokenLife`` at most, so one that was issued before the revocation
/// is worthless that long after it; the Attribute Server issues none later.
struct RevokedDevices: Sendable {
  /// 100,000: each costs about 100 bytes for a quarter of an hour.
  static let limit = 100_000
  /// How long a token issued just before the revocation can be good for.
  static let life = Limits.tokenLife + Limits.tokenLeeway * 2

  private var until: [Revocation: Duration] = [:]

  var count: Int { until.count }

  /// Remembers the devices; false, and none of them is remembered, when there is no room for all.
  /// `uptime` is a clock that never goes back.
  mutating func add(_ revocations: [Revocation], uptime: Duration) -> Bool {
    if until.count + revocations.count > Self.limit { until = until.filter { $0.value > uptime } }
    guard until.count + revocations.count <= Self.limit else { return false }
    for revocation in revocations { until[revocation] = uptime + Self.life }
    return true
  }

  /// Whether the device is kept out at `uptime`.
  func contains(_ revocation: Revocation, uptime: Duration) -> Bool {
    until[revocation].map { uptime < $0 } ?? false
  }
}
