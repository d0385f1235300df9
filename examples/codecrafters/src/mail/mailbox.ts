import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { SMTPServer } from "smtp-server";

/** A mail as the mail server has received it. */
export interface ReceivedMail {
  readonly to: string;
  readonly subject: string;
}

/** A mail server on this machine, which keeps what it receives. */
export interface Mailbox extends AsyncDisposable {
  /** Where to send to: smtp://127.0.0.1:port. */
  readonly url: string;
  readonly mails: readonly ReceivedMail[];
}

/** Starts a mail server on a free port of the loopback interface. */
export async function openMailbox(onMail: (mail: ReceivedMail) => void): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  const smtp = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    // The one client is this very process: its name needs no question to a name server.
    disableReverseLookup: true,
    logger: false,
    onData(stream, { envelope }, done) {
      text(stream).then((message) => {
        const subject = /^Subject: (.*)$/m.exec(message)?.[1]?.trim() ?? "";
        for (const { address } of envelope.rcptTo) {
          const mail = { to: address, subject };
          mails.push(mail);
          onMail(mail);
        }
        done();
      }, done);
    },
  });
  const server = smtp.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    async [Symbol.asyncDispose]() {
      await promisify(smtp.close.bind(smtp))();
    },
  };
}
