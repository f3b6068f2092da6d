public import Sync
public import Wire

/// What the push connection tells.
public enum PushEvent: Hashable, Sendable {
  /// The reason of ``down(reason:retryAt:refusals:)`` that says: ask the Attribute Server why.
  public static let revoked = "this device was revoked"
  /// The reason that says: one device has two connections, so it may be two devices.
  public static let replaced = "this device connected somewhere else"

  case connecting(transport: PushTransport)
  /// Welcomed at `since` (milliseconds since 1970). `behind`: signals were missed; start a sync.
  case connected(
    since: Int64, presence: [PushFrame.Presence], behind: Bool, over: PushTransport = .webSocket,
    refusals: [RefusedTransport] = [])
  /// A signal, an acknowledgement of another device, or presence.
  case frame(PushFrame)
  /// Not connected, for `reason`; the next attempt is at `retryAt` (milliseconds since 1970).
  case down(reason: String, retryAt: Int64, refusals: [RefusedTransport] = [])
}
