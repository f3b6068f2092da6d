public import Wire

/// Where a commit stands in its author's chain.
public struct CommitPlace: Hashable, Sendable {
  public let device: DeviceID
  public let sequence: UInt64

  public init(_ device: DeviceID, _ sequence: UInt64) {
    self.device = device
    self.sequence = sequence
  }
}

/// Comparing by digest below the heads, too (rule R1).
///
/// A frontier remembers the newest commit of each device only. A server that shows another history
/// of a device could stay one commit behind or ahead of it, and sequences alone would agree; so the
/// shell looks up what the store holds at every place an answer names.
extension SyncCore {
  /// The places up to the heads held here that an answer names: by the heads it says the server
  /// has, by the commits it gives, and by what those stand on. ``Event/answered(_:digests:)`` takes
  /// what the store holds there.
  public func places(namedBy response: SyncResponse) -> Set<CommitPlace> {
    var places: Set<CommitPlace> = []
    func note(_ device: DeviceID, _ sequence: UInt64) {
      guard sequence > 0, sequence <= frontier.sequence(of: device) else { return }
      places.insert(CommitPlace(device, sequence))
    }
    for (device, head) in response.serverFrontier.heads { note(device, head.sequence) }
    for blob in response.frames {
      // One that does not read names nothing, and is refused with the whole answer.
      guard let header = (try? Envelope(bytes: blob.bytes))?.header else { continue }
      note(header.device, header.sequence)
      for (device, head) in header.dependencies.heads { note(device, head.sequence) }
    }
    return places
  }
}
