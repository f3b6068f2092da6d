/// When a version was written: milliseconds since 1970, and a counter for what falls into one
/// millisecond or was written after something from a faster clock.
///
/// A hybrid logical clock (Kulkarni et al., 2014). It never orders an edit and what the editor had
/// seen, which `supersedes` does; it only says which of two concurrent values is shown first.
public struct HybridTime: Hashable, Comparable, Sendable {
  /// 24 h: a clock further ahead than that is wrong, and is not followed.
  public static let trustedLead: Int64 = 24 * 3600 * 1000

  public let milliseconds: Int64
  public let counter: UInt16

  public init(milliseconds: Int64, counter: UInt16 = 0) {
    self.milliseconds = milliseconds
    self.counter = counter
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.milliseconds, left.counter) < (right.milliseconds, right.counter)
  }

  /// The next time after this one for somebody whose clock says `now`.
  func next(at now: Int64) -> HybridTime {
    if now > milliseconds { return HybridTime(milliseconds: now) }
    if counter == .max { return HybridTime(milliseconds: milliseconds + 1) }
    return HybridTime(milliseconds: milliseconds, counter: counter + 1)
  }

  /// This clock after hearing `other`, unless that runs more than ``trustedLead`` ahead of `now`,
  /// and ahead of this clock: where `now` was set back, two edits must not bear one time.
  func hearing(_ other: HybridTime, at now: Int64) -> HybridTime {
    other.milliseconds > max(now + Self.trustedLead, milliseconds) ? self : max(self, other)
  }
}

extension HybridTime: Codable {
  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    milliseconds = try container.decode(Int64.self)
    counter = try container.decode(UInt16.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(milliseconds)
    try container.encode(counter)
  }
}
