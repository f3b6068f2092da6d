/// Every limit of the protocol by name. A thing over its limit is refused, never truncated.
public enum Limits {
  /// 256 KiB: an envelope with header and signature, as sent.
  public static let commitBytes = 256 * 1024
  /// 64 KiB: one value inside a commit; larger files are not what a selector is for.
  public static let valueBytes = 64 * 1024
  /// 64: bounds the frontier to 3.6 KiB, so that it can stand in every request.
  public static let devices = 64
  public static let attributesPerContext = 1000
  public static let contexts = 50_000
  /// Characters of a context's or attribute's name.
  public static let nameCharacters = 256
  public static let deviceNameCharacters = 64
  /// Commits one sync request may carry.
  public static let framesPerSync = 100
  /// 2.5 MiB: what the commits of one sync request may add up to.
  public static let frameBytesPerSync = 2_621_440
  /// 4 MiB: what the server puts in one answer; the caller asks again for the rest.
  public static let pageBytes = 4 * 1024 * 1024
  /// 4 MiB: a request body; base64 makes 2.5 MiB of frames 3.4 MiB.
  public static let requestBytes = 4 * 1024 * 1024
  /// 16 KiB: a letter in a pairing mailbox.
  public static let mailboxBytes = 16 * 1024
  /// 48 KiB: a membership record. One that begins an epoch has a sealed key for each of 64 devices
  /// and the account's slot.
  public static let membershipRecordBytes = 48 * 1024
  /// 16 KiB: a password slot.
  public static let slotBytes = 16 * 1024
  /// 1 GiB: what one account's commits may add up to unless the operator says otherwise.
  public static let accountQuotaBytes = 1024 * 1024 * 1024
  /// 256 KiB: a sealed chunk of a snapshot. Most have 64; one with a large value may have more.
  public static let snapshotChunkBytes = 256 * 1024
  /// 256 MiB: what the chunks of a snapshot add up to.
  public static let snapshotBytes = 256 * 1024 * 1024
  public static let snapshotChunks = 4096
  /// Positions of lacking chunks one answer names.
  public static let snapshotMissing = 1000
  /// Commits after which a device writes a new snapshot.
  public static let snapshotInterval = 500
  /// 8 MiB: what commits add up to after which a device writes a new snapshot.
  public static let snapshotLogBytes = 8 * 1024 * 1024
  /// 30 days: commits are given up for a snapshot no earlier than this after it was complete.
  public static let snapshotRetention = Duration.seconds(30 * 86_400)
  /// 30 days: how long a deleted context can be restored.
  public static let trashLife = Duration.seconds(30 * 86_400)
  /// 4 KiB: a frame from a device to the Push Service.
  public static let pushFrameBytes = 4 * 1024
  /// Connections one account may hold to one Push Service: every device once.
  public static let pushConnectionsPerAccount = 64
  /// 64 KiB: the body of `POST /v1/signals`.
  public static let signalBodyBytes = 64 * 1024
  public static let signalsPerPost = 1000
  public static let traceCharacters = 32
  /// 4 KiB: an access token; a longer one is refused unread.
  public static let tokenBytes = 4 * 1024

  /// A device that has not said hello by then is sent away.
  public static let helloWait = Duration.seconds(5)
  /// Both ends ping this often; two misses and the connection is dead.
  public static let pingInterval = Duration.seconds(25)
  public static let pairingCodeLife = Duration.seconds(300)
  public static let challengeLife = Duration.seconds(60)
  public static let tokenLife = Duration.seconds(600)
  /// Clocks may differ this much before a token is refused.
  public static let tokenLeeway = Duration.seconds(60)
}
