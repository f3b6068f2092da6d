/// The paths of both servers.
public enum Route {
  public static let info = "/v1/info"
  /// Followed by `/{account}/ending` for the record by which an account was deleted.
  public static let accounts = "/v1/accounts"
  public static let challenge = "/v1/auth/challenge"
  public static let token = "/v1/auth/token"
  public static let slot = "/v1/slot"
  public static let sync = "/v1/sync"
  public static let membership = "/v1/membership"
  public static let farewell = "/v1/farewell"
  /// Followed by `/{id}`, `/{id}/chunks/{n}` or `/{id}/finish`.
  public static let snapshots = "/v1/snapshots"
  /// Followed by `/{rendezvous}` and, for reading, `/{box}`.
  public static let enrol = "/v1/enrol"
  public static let keys = "/.well-known/jwks.json"
  public static let health = "/healthz"
  /// Where devices register how to be reached while they sleep; on the listener for devices.
  public static let channels = "/v1/channels"
  public static let channelConfirmation = "/v1/channels/confirmation"
  /// What the Push Service counts, as Prometheus reads it; on the listener for signals.
  public static let metrics = "/metrics"
  /// The Push Service's web-service API.
  public static let signals = "/v1/signals"
  /// The feed of devices that were taken out: the Attribute Server posts it to the Push Service,
  /// which also reads it there, with `?after=NUMBER`.
  public static let revocations = "/v1/revocations"
  /// The Push Service's WebSocket.
  public static let push = "/push"
  /// Server-Sent Events; followed by `/{session}` for the device's frames.
  public static let pushEvents = "/push/events"
  /// Long polling; followed by `/{session}` after the first.
  public static let pushPoll = "/push/poll"
  /// Bayeux 1.0, as a WebSocket or posted; clients may add `/handshake` and the like.
  public static let bayeux = "/bayeux"
  /// The channel of Bayeux that signals come on.
  public static let bayeuxSignals = "/account/signals"
  /// The channel of Bayeux that acknowledgements go to.
  public static let bayeuxAcknowledgements = "/service/acknowledgements"
  /// Sends messages back, where a conformance suite wants it.
  public static let pushEcho = "/push/echo"
  /// The demo chat: its page, and under it the WebSocket.
  public static let chatPage = "/push_server/"
  public static let chat = "/push_server/async/"
}
