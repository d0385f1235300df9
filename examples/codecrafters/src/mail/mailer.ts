import { createTransport } from "nodemailer";

/** A mail to one person. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends mails. */
export interface Mailer {
  /** Resolves when the mail server has taken the mail. */
  send(mail: Mail): Promise<void>;
}

/** Sends mails over SMTP, to the server of an smtp: URL. */
export function createMailer(url: string): Mailer {
  const transport = createTransport(url);
  return {
    async send(mail) {
      await transport.sendMail({ from: "CodeCrafters <hello@codecrafters.example>", ...mail });
    },
  };
}
