public import Wire

/// A device that wants to become one of an account, from the code it was told to the keys it is
/// given.
public final class JoiningDevice: Sendable, Confidential {
  private let code: PairingCode
  private let keys: DeviceKeys
  private let authenticationKey: AuthenticationKey
  private let offer: [UInt8]
  /// For the trusted device, through the mailbox.
  public let offerLetter: [UInt8]
  /// Six words to show: the trusted device shows the same, or somebody is in between.
  public let words: [String]

  /// What the trusted device gave.
  public struct Joined: Sendable, Confidential {
    public let keyring: Keyring
    public let authenticationKey: AuthenticationKey
    /// What the trusted device held: a server that shows less hides something.
    public let frontier: Frontier
    /// The record that made this device a member: the chain fetched from the server must contain
    /// it (``Membership/contains(_:)``) and pass ``Keyring/check(_:)``.
    public let memberHead: Digest32
  }

  /// Draws the device's keys and writes its offer.
  public static func make(
    code: PairingCode, device: DeviceName, entropy: inout some Entropy
  ) throws(VaultError) -> JoiningDevice {
    try JoiningDevice(code: code, device: device, entropy: &entropy)
  }

  private init(
    code: PairingCode, device: DeviceName, entropy: inout some Entropy
  ) throws(VaultError) {
    self.code = code
    keys = DeviceKeys(entropy: &entropy)
    authenticationKey = AuthenticationKey(entropy: &entropy)
    offer = try PairingOffer.contents(
      PublicKeys(keys, authentication: authenticationKey), name: device)
    offerLetter = PairingOffer.letter(offer, code: code, entropy: &entropy)
    words = code.words(for: offer)
  }

  /// The id this device will have.
  public var device: DeviceID { keys.device }

  /// Opens the trusted device's answer; ``VaultError/cannotOpen`` when it is not for this offer or
  /// not from who showed the code, ``VaultError/wrongAccount`` when it is of another account than
  /// the code.
  public func accept(answer: [UInt8]) throws(VaultError) -> Joined {
    let (account, contents) = try PairingAnswer.open(
      answer, device: keys, offer: offer, code: code)
    return try SecretReader.read(contents) { reader throws(VaultError) in
      let accountKeys = try AccountKeys.read(&reader, account: account)
      let mark = PairingCode.mark(of: account, key: accountKeys.publicKey)
      guard code.account.map({ $0 == mark }) ?? true else { throw .wrongAccount }
      let memberHead = try reader.digest()
      return Joined(
        keyring: Keyring(account: accountKeys, device: keys),
        authenticationKey: authenticationKey, frontier: try reader.frontier(),
        memberHead: memberHead)
    }
  }
}
