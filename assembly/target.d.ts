/** Named on asc's command line where the extmul class is compiled. */
declare const EXTMUL_CLASS: unknown;
