import Wire

/// How far the feed of revocations is known, and which tokens may be worthless without this service
/// knowing.
///
/// Entries are numbered without a gap. One that is missing may have named any device, so nobody is
/// let in by a token of before. A new one is good, since the Attribute Server issues none to a
/// device that was revoked.
struct RevocationFeed: Sendable {
  enum Outcome: Hashable, Sendable {
    /// Everything up to there is known.
    case follows
    /// There is more to read.
    case more
    /// Entries before it are not known: read on from ``position``.
    case gap
  }

  /// Up to which entry everything is known; nil until the feed was read once.
  private(set) var position: UInt64?
  /// Tokens issued before it have to be renewed; seconds since 1970, by the Attribute Server's
  /// clock.
  private(set) var renewal: Int64

  /// - Parameter start: tokens issued before it are not known to be good until the feed was read;
  ///   nil where there is no feed to read.
  init(start: Int64?) {
    renewal = start ?? 0
    isRequired = start != nil
  }

  private let isRequired: Bool

  /// Whether a token issued then may have been revoked unheard.
  func doubts(issuedAt: Int64) -> Bool { issuedAt < renewal }

  /// Takes a page that was signed by the Attribute Server. `isAsked`: it answers a question about
  /// what follows ``position``, or about everything.
  mutating func take(_ page: RevocationPage, isAsked: Bool) -> Outcome {
    guard let position else {
      // What is posted before the feed was read is read again with it.
      guard isAsked else { return .more }
      // All that is kept: whoever was revoked before that has no token left.
      self.position = page.end
      if page.end >= page.newest { renewal = 0 }
      return page.end < page.newest ? .more : .follows
    }
    guard page.newest >= position || !isAsked else {
      // The Attribute Server was set back and uses numbers again.
      self.position = nil
      renewal = max(renewal, page.at)
      return .gap
    }
    guard page.after <= position else {
      renewal = max(renewal, page.at)
      if isAsked { self.position = page.end }
      return isAsked && page.end >= page.newest ? .follows : .gap
    }
    self.position = max(position, page.end)
    return page.end < page.newest ? .more : .follows
  }
}
