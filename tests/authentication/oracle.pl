# Verifies the DKIM signatures of mails with Mail::DKIM, for test_oracle.py to compare with.
# Arguments: the port of a DNS server on loopback, and files. Prints a line for each signature: file, domain, result.
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS::Resolver;

my $port = shift @ARGV;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(
    nameservers => ['127.0.0.1'], port => $port, recurse => 1, udp_timeout => 2, retry => 1, dnsrch => 0, defnames => 0,
));
for my $file (@ARGV) {
    open(my $mail, '<:raw', $file) or die "$file: $!";
    local $/;
    my $raw = <$mail>;
    close($mail);
    $raw =~ s/\r?\n/\r\n/g;    # as SMTP carries it
    $raw .= "\r\n" unless $raw =~ /\n\z/;
    my $verifier = Mail::DKIM::Verifier->new();
    $verifier->PRINT($raw);
    $verifier->CLOSE();
    for my $signature ($verifier->signatures) {
        my @found = ($file, $signature->domain // '', $signature->result // '', $signature->result_detail // '');
        print join("\t", map { s/\s+/ /gr } @found), "\n";
    }
}
