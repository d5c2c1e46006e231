package CPANBridge::Image;

# Storable's two C functions, and nothing else of it.
#
# A frame's payload is a Storable image. Storable.pm costs several milliseconds to load
# (Carp, Exporter, Fcntl, its own Perl code), its C part a fraction of one. So if the
# script has not loaded Storable, only the C part is. It is loaded out of sight: every
# name it defines is put back as it was, so that a later `use Storable` finds nothing.
# Whatever is unusual ends in a plain `require Storable`.

use strict;
use warnings;

our (@FLAGS, $Init);

# Makes freeze(\%or\@data) and thaw($image, @FLAGS) known in the calling package.
sub import {
    my $target = caller;
    _load() if !defined &freeze;
    no strict 'refs';
    *{"${target}::_freeze"} = \&freeze;
    *{"${target}::_thaw"}   = \&thaw;
    *{"${target}::FLAGS"}   = \@FLAGS;
    return;
}

sub _load {
    local ($@, $!);
    local $SIG{__DIE__};
    local $SIG{__WARN__} = sub { };
    my $boot = $INC{'Storable.pm'} ? undef : eval { _find() };
    my ($store, $retrieve) = $boot ? eval { _boot(@{$boot}) } : ();
    if (!$retrieve) {
        require Storable;
        ($store, $retrieve) = (\&Storable::net_mstore, \&Storable::mretrieve);
    }

    # Storable 3 takes flags, and 0 turns blessing and tying off. Older versions only
    # take the image; the daemon, whose uid was checked, never writes a blessed one.
    my $probe = $store->([]);
    @FLAGS = eval { $retrieve->($probe, 0) } ? (0) : ();
    no warnings 'once';
    *freeze = $store;
    *thaw   = ${^TAINT} ? _untainted($retrieve) : $retrieve;
    return;
}

# In taint mode what comes from a socket is tainted, and so would be every value in it.
# The daemon is this user's own; like DBI, it is believed unless the script wants otherwise.
sub _untainted {
    my ($retrieve) = @_;
    return sub {
        my ($image) = $_[0] =~ /\A(.*)\z/s;
        return $retrieve->($image, @FLAGS);
    };
}

# The C part that belongs to the Storable.pm perl would load, and the recursion limits
# this Storable.pm sets (versions before 3.08 have none): [file, limit, limit for hashes].
sub _find {
    for my $dir (@INC) {
        next if ref $dir || !-f "$dir/Storable.pm";
        my $file = "$dir/auto/Storable/Storable.so";
        return if !-f $file;
        open my $in, '<', "$dir/Storable.pm" or return;
        my $text = do { local $/; readline $in };
        return [$file] if index($text, 'recursion_limit') < 0;
        my @limit = substr($text, 0, 4096) =~ /^\s*\$(?:Storable::)?recursion_limit(?:_hash)?\s*=\s*(-?[0-9]+)\b/mg;
        return if @limit != 2;
        return [$file, @limit];
    }
    return;
}

sub _boot {
    my ($file, @limit) = @_;
    _dynamic_loading() or return;
    my $library = DynaLoader::dl_load_file($file, 0)                    or return;
    my $symbol  = DynaLoader::dl_find_symbol($library, 'boot_Storable') or return;
    my @found   = _hidden(DynaLoader::dl_install_xsub('CPANBridge::Image::_boot_storable', $symbol, $file));
    return if @found != 3;
    no warnings 'once';
    ($Storable::recursion_limit, $Storable::recursion_limit_hash) = @limit if @limit;
    $Init = pop @found;
    return @found;
}

# What XSLoader.pm and DynaLoader.pm begin with.
sub _dynamic_loading {

    package DynaLoader;
    return 1 if defined &dl_load_file;
    return   if !defined &boot_DynaLoader;
    boot_DynaLoader('DynaLoader');
    return defined &dl_load_file;
}

# Runs the C part's start, hiding what it defines; no version is given, so none is compared.
sub _hidden {
    my ($boot) = @_;
    no warnings 'once';
    local (
        *Storable::VERSION,             *Storable::XS_VERSION,  *Storable::init_perinterp,
        *Storable::pstore,              *Storable::net_pstore,  *Storable::mstore,
        *Storable::net_mstore,          *Storable::pretrieve,   *Storable::mretrieve,
        *Storable::dclone,              *Storable::is_storing,  *Storable::is_retrieving,
        *Storable::last_op_in_netorder, *Storable::stack_depth, *Storable::stack_depth_hash,
        *Storable::CAN_FLOCK,           *Storable::BIN_MAJOR,   *Storable::BIN_MINOR,
        *Storable::BIN_WRITE_MINOR,     *Storable::Cxt::DESTROY,
    );
    $boot->('Storable');
    return grep { defined } (
        *Storable::net_mstore{CODE}, *Storable::mretrieve{CODE}, *Storable::init_perinterp{CODE},
    );
}

# Each thread needs a context of its own in the C part; Storable.pm does the same.
sub CLONE {
    $Init->() if $Init;
    return;
}

1;
