import Storage
import Sync
import Transport
import Vault
import Wire

extension Failure {
  static func vault(_ error: VaultError) -> Failure {
    switch error {
    case .wrongPassphrase:
      Failure(.locked, "That passphrase does not open this. Nothing was changed. Try again.")
    case .badSignature, .notAMember, .cannotOpen, .brokenChain, .wrongAccount, .unknownMembership,
      .revoked, .wrongEpoch, .oldSlot:
      Failure(
        .alarm,
        "\(distrust(error)), so nothing of it was taken. What is here is safe. Ask who runs the"
          + " server, and compare with another device.")
    case .unknownEpoch(let epoch):
      Failure(
        .failed,
        "This device holds no key of epoch \(epoch). What is here is safe. Synchronise, or pair this"
          + " device again.")
    case .parametersOutOfRange(let memory, let passes):
      Failure(
        .alarm,
        "The hashing of the passphrase (\(memory) KiB, \(passes) passes) is outside what this"
          + " program accepts, so the passphrase was not used.")
    case .malformed(let field):
      Failure(.failed, "The \(field) does not read. Nothing was changed. Check it and try again.")
    case .badChecksum:
      Failure(
        .failed, "The code was mistyped or is damaged. Nothing was changed. Enter it again.")
    case .overLimit(let limit, let value):
      Failure(.failed, "\(value) is more than the limit of \(limit). Nothing was changed.")
    case .outOfMemory(let kibibytes):
      Failure(
        .failed,
        "Hashing the passphrase needs \(kibibytes / 1024) MiB of memory. Nothing was changed. End"
          + " other programs and try again.")
    }
  }

  private static func distrust(_ error: VaultError) -> String {
    switch error {
    case .badSignature: "A signature is not its author's"
    case .notAMember: "Its author is no device of the account"
    case .brokenChain(let number): "Record \(number) of the list of devices breaks its chain"
    case .wrongAccount: "It belongs to another account"
    case .revoked: "Its author was revoked before"
    case .wrongEpoch: "It is sealed with keys that were not to be used any more"
    case .oldSlot: "The server shows an old slot, for a passphrase or kit that was replaced"
    case .unknownMembership: "The server withholds a part of the list of devices"
    default: "What is sealed was changed, or is for somebody else"
    }
  }

  static func storage(_ error: StorageError) -> Failure {
    switch error {
    case .invalidProfileName: Failure(.usage, "\(error).")
    case .heldBy:
      Failure(
        .failed, "\(error.description.capitalizedFirst). Nothing was changed. End that one first.")
    case .missing(let path): Failure(.notFound, "\(path) is not there. Nothing was changed.")
    case .insecure(let path, let reason):
      Failure(
        .failed,
        "\(path): \(reason), so nothing was read or written. Make it yours alone (chmod go-rwx) and"
          + " try again.")
    case .corrupted(let path, let detail):
      Failure(
        .failed,
        "\(path) is damaged (\(detail)) and was left as it is. The other devices have everything the"
          + " server confirmed; move this profile away and join again.")
    case .newerVersion: Failure(.failed, "\(error.description.capitalizedFirst).")
    case .diskFull(let path):
      Failure(
        .failed,
        "There is no space left for \(path). Nothing was changed; what was saved before is safe. Make"
          + " room and try again.")
    case .denied(let path, let reason):
      Failure(
        .failed,
        "\(path) cannot be used: \(reason). Nothing was changed; what was saved before is safe."
          + " See to that and try again.")
    case .closed:
      Failure(
        .failed,
        "The selector was just ending. This change was not saved; what was saved before is safe. Try"
          + " again.")
    case .doesNotContinue(let what, let expected, let found):
      Failure(
        .alarm,
        "\(what.capitalizedFirst) \(found) does not follow what is held (\(expected) would), so it was not taken."
      )
    case .failed(let path, let operation, let code):
      Failure(
        .failed,
        "\(operation.capitalizedFirst) \(path) failed (code \(code)). What was saved before is safe."
      )
    }
  }

  static func service(_ error: ServiceFailure) -> Failure {
    switch error {
    case .unreachable(let reason):
      Failure(
        .offline,
        "The server cannot be reached (\(reason)). What is saved here is safe and is sent later.")
    case .refused(let problem): Self.problem(problem)
    case .unintelligible(let what):
      Failure(
        .offline,
        "The server gave an answer that does not read (\(what)). What is saved here is safe. Check"
          + " the server's address and version.")
    }
  }

  static func transport(_ error: TransportError) -> Failure {
    switch error {
    case .invalidAddress, .plaintextBeyondLoopback:
      Failure(.usage, "\(error.description.capitalizedFirst).")
    case .wrongServerKey:
      Failure(
        .alarm,
        "The server has another key than expected, so nothing was sent. Ask who runs it whether the"
          + " key was changed.")
    case .noSuchHost, .protocolViolation, .timedOut, .upgradeRefused:
      service(.unreachable(reason: error.description))
    }
  }

  static func problem(_ problem: Problem) -> Failure {
    switch problem.code {
    case .authenticationFailed:
      Failure(
        .locked,
        "The server does not accept this: the name, passphrase, kit or device is not one it knows."
          + " Nothing was changed.")
    case .authenticationRevoked:
      Failure(
        .failed,
        "This device was removed from the account. What is here stays readable; pair it again to"
          + " synchronise.")
    case .accountExists:
      Failure(
        .failed,
        "An account of that name is on the server already. Nothing was created. Choose another name,"
          + " or make this a device of it with `higgins join`.")
    case .inviteRequired:
      Failure(
        .failed,
        "The server creates accounts with an invite only. Nothing was created. Ask who runs it for a"
          + " code and give it with --invite CODE.")
    case .mailboxGone:
      Failure(
        .failed,
        "The pairing code was used or has expired. Nothing was changed. Make a new one with `higgins"
          + " devices pair`.")
    case .deviceFork, .deviceRolledBack, .badSignature:
      Failure(
        .alarm,
        "The server refused what this device sent: \(problem.title). What is here is safe. A profile"
          + " that was restored or copied takes a new identity at the next synchronisation.")
    case .snapshotRequired, .snapshotNotDominating:
      Failure(
        .offline,
        "The server has moved on to a newer snapshot. What is saved here is safe. Synchronise"
          + " again.")
    case .protocolTooOld, .protocolTooNew:
      Failure(.failed, "\(problem.title). What is saved here is safe. Update the older of the two.")
    default: refusal(problem)
    }
  }

  private static func refusal(_ problem: Problem) -> Failure {
    let wait = problem.retryAfterSeconds.map { " in \($0) s" } ?? " later"
    let cure = problem.retryable ? "Try again\(wait)." : "Ask who runs the server."
    return Failure(
      problem.retryable ? .offline : .failed,
      "The server refused (\(problem.code.rawValue)): \(problem.title). What is saved here is safe."
        + " \(cure)")
  }
}

extension String {
  /// Begins a sentence.
  var capitalizedFirst: String {
    guard let first else { return self }
    return first.uppercased() + dropFirst()
  }
}
